from django.contrib import admin
from django.urls import include, path

from gateway.console.login import AdminLogin
from observability import diff_views
from observability.api import api as debug_api

admin.site.login_form = AdminLogin

urlpatterns = [
    path("admin/", admin.site.urls),
    path("debug/diff", diff_views.compare, name="compare"),
    path("debug/", debug_api.urls),
    path("", include("gateway.urls")),
    path("", include("observability.urls")),
]
