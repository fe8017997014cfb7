from django.contrib import admin
from django.urls import include, path

from observability.api import api as debug_api

urlpatterns = [
    path("admin/", admin.site.urls),
    path("debug/", debug_api.urls),
    path("", include("gateway.urls")),
    path("", include("observability.urls")),
]
