from django.contrib import admin
from django.urls import include, path

from gateway.console.login import AdminLogin
from observability.api import api as debug_api
from observability.diffs.views import compare

admin.site.login_form = AdminLogin

urlpatterns = [
    path("admin/", admin.site.urls),
    path("debug/diff", compare, name="compare"),
    path("debug/", debug_api.urls),
    path("", include("gateway.urls")),
    path("", include("observability.urls")),
]
