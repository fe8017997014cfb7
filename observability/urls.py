from django.urls import path

from observability import views
from observability.search import views as search

urlpatterns = [
    path("calls/", search.calls, name="calls"),
    path("calls/suggestions/", search.suggestions, name="call-suggestions"),
    path("calls/<str:id>/", views.call, name="call"),
    path("calls/<str:id>/diff/", views.call_diff, name="call-diff"),
    path("calls/<str:id>/body/<slug:payload>/", views.body, name="call-body"),
    path("calls/<str:id>/body/<slug:payload>/preview/", views.body_preview, name="call-body-preview"),
]
