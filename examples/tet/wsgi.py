"""The application for a WSGI server: `gunicorn wsgi`, `waitress-serve wsgi:application`.

RELEASE pins the token, so that several workers and hosts agree on it.
"""

import os

from myapp import main

release = os.environ.get("RELEASE")
application = main({}, **({"myapp.release": release} if release else {}))
