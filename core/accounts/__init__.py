import sys

if "webauthn" not in sys.modules:
    # Flask-Security imports passkeys' library wherever it is installed, which takes a third of its time; it is
    # told once that there is none. Whoever needs it imports it afterwards.
    sys.modules["webauthn"] = None  # type: ignore[assignment]
    try:
        import flask_security  # noqa: F401
    finally:
        del sys.modules["webauthn"]
