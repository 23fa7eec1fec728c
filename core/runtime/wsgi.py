"""The application for gunicorn and other WSGI servers: `gunicorn core.runtime.wsgi:application`.

Jobs run beside it, in `tukku worker`.
"""

from contextlib import ExitStack

from core.runtime.config import load_config
from core.runtime.dispatcher import Dispatcher
from core.runtime.serve import check_database, start_background

_config = load_config()
check_database(_config)
application = Dispatcher(_config)
start_background(application, ExitStack(), jobs=False)
