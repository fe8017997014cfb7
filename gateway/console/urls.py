from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from gateway.console import activity, views, why
from gateway.console.backtest import views as backtests
from gateway.console.backtest.walking import backtest_call
from gateway.console.login import Login
from gateway.console.playground import views as playground

urlpatterns = [
    path("", views.home, name="home"),
    path("policies/", include("gateway.console.policies.urls")),
    path("notifications/", include("gateway.console.notifications.urls")),
    path("api/docs", views.reference, name="reference"),
    path("api/openapi.json", views.openapi, name="openapi"),
    path("policies/playground/", playground.page, name="playground"),
    path("policies/playground/settings/", playground.settings, name="playground-settings"),
    path("policies/backtests/", backtests.backtests, name="backtests"),
    path("policies/backtests/<int:pk>/", backtests.backtest, name="backtest"),
    path("policies/backtests/<int:pk>/progress/", backtests.progress, name="backtest-progress"),
    path("policies/backtests/<int:pk>/cancel/", backtests.cancel, name="backtest-cancel"),
    path("policies/backtests/<int:pk>/again/", backtests.again, name="backtest-again"),
    path("policies/backtests/<int:pk>/calls/<int:position>/", backtest_call, name="backtest-call"),
    path("why/<str:id>/<str:proof>/", why.why, name="why"),
    path("why/<str:id>/<str:proof>/wrong/", why.wrong, name="why-wrong"),
    path("activity/monitor", activity.monitor, name="activity-monitor"),
    path("activity/stop/<str:id>/", activity.ask_to_stop, name="activity-ask-to-stop"),
    path("activity/stop/<str:id>/now/", activity.stop, name="activity-stop"),
    path("activity/lift/<int:pk>/", activity.lift, name="activity-lift"),
    # The admin's own pages for this let only staff in and out; reviewers need not be staff.
    path("login/", LoginView.as_view(template_name="login.html", authentication_form=Login), name="login"),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
]
