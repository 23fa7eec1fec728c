"""Say who can sign in to the demo shop: ``python -m core.demo``."""

from core.demo.loading import LOGINS, PASSWORD

print(f"Sign in with the password {PASSWORD} as")
for email, what in LOGINS:
    print(f"  {email:<26} {what}")
