"""The ASGI application: pages and API over HTTP, live activity over websockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "luthien_site.settings")
django_application = get_asgi_application()

# What follows imports models, which exist only once Django is set up.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402

from gateway.asgi import SlimHandler  # noqa: E402
from gateway.websockets import NoCallsOverWebSockets  # noqa: E402
from luthien_site.lifespan import lifespan  # noqa: E402
from observability.activity.routing import websocket_urlpatterns  # noqa: E402

pages = AllowedHostsOriginValidator(CookieMiddleware(URLRouter(websocket_urlpatterns)))

application = ProtocolTypeRouter(
    {
        "http": SlimHandler(django_application),
        "websocket": NoCallsOverWebSockets(pages),
        "lifespan": lifespan,
    }
)
