from django.urls import path

from gateway.console.notifications import views

urlpatterns = [
    path("", views.notifications, name="notifications"),
    path("new/", views.new, name="endpoint-new"),
    path("<int:pk>/", views.endpoint, name="endpoint"),
    path("<int:pk>/secret/", views.rotate, name="endpoint-rotate"),
    path("<int:pk>/test/", views.test, name="endpoint-test"),
    path("<int:pk>/delete/", views.delete, name="endpoint-delete"),
    path("deliveries/<int:pk>/again/", views.redeliver, name="delivery-again"),
]
