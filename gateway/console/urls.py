from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from gateway.console import views
from gateway.console.login import Login
from gateway.console.playground import views as playground

urlpatterns = [
    path("", views.home, name="home"),
    path("api/docs", views.reference, name="reference"),
    path("api/openapi.json", views.openapi, name="openapi"),
    path("policies/playground/", playground.page, name="playground"),
    path("policies/playground/settings/", playground.settings, name="playground-settings"),
    # The admin's own pages for this let only staff in and out; reviewers need not be staff.
    path("login/", LoginView.as_view(template_name="login.html", authentication_form=Login), name="login"),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
]
