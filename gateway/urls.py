from django.urls import include, path

from gateway import api, health

urlpatterns = [
    *api.urlpatterns,
    *health.urlpatterns,
    path("", include("gateway.console.urls")),
]
