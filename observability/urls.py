from django.urls import path

from .activity import stream as activity
from .calls import views as calls
from .diffs import views as diffs
from .jobs import views as jobs
from .reports import views as reports
from .retention import views as retention
from .reviews import views as reviews
from .search import views as search
from .sessions import views as sessions

urlpatterns = [
    path("activity/stream", activity.stream, name="activity-stream"),
    path("retention/", retention.retention, name="retention"),
    path("retention/periods/", retention.change_period, name="retention-period"),
    path("retention/holds/", retention.place_hold, name="retention-hold"),
    path("retention/holds/<int:pk>/release/", retention.release_hold, name="retention-release"),
    path("retention/purge/", retention.purge_now, name="retention-purge"),
    path("retention/erase/", retention.erase, name="retention-erase"),
    path("jobs/", jobs.all_jobs, name="jobs"),
    path("jobs/<int:pk>/", jobs.one_job, name="job"),
    path("jobs/<int:pk>/progress/", jobs.progress, name="job-progress"),
    path("jobs/<int:pk>/cancel/", jobs.cancel, name="job-cancel"),
    path("calls/", search.calls, name="calls"),
    path("calls/suggestions/", search.suggestions, name="call-suggestions"),
    path("calls/<str:id>/", calls.call, name="call"),
    path("calls/<str:id>/diff/", diffs.call_diff, name="call-diff"),
    path("calls/<str:id>/cards/<int:first>-<int:last>/", calls.call_cards, name="call-cards"),
    path("calls/<str:id>/block/<slug:part>/<slug:side>/<int:place>/", calls.call_block, name="call-block"),
    path("calls/<str:id>/image/<slug:side>/<int:place>/", calls.call_image, name="call-image"),
    path("calls/<str:id>/image/<slug:side>/<int:place>/<int:number>/", calls.call_image),
    path("calls/<str:id>/body/<slug:payload>/", calls.body, name="call-body"),
    path("calls/<str:id>/body/<slug:payload>/preview/", calls.body_preview, name="call-body-preview"),
    path("review/", reviews.reviews, name="reviews"),
    path("review/label/", reviews.label, name="review-label"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<str:name>/", sessions.session, name="session"),
    path("sessions/<str:name>/changes/", sessions.session_changes, name="session-changes"),
    path("sessions/<str:name>/bodies/", sessions.session_bodies, name="session-bodies"),
    path("sessions/<str:name>/export.jsonl", sessions.session_export, name="session-export"),
    path("reports/", reports.reports, name="reports"),
    path("reports/new/<slug:kind>/", reports.new, name="report-new"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path("reports/<int:pk>/progress/", reports.progress, name="report-progress"),
    path("reports/<int:pk>/cancel/", reports.cancel, name="report-cancel"),
    path("reports/<int:pk>/delete/", reports.delete, name="report-delete"),
    path("reports/<int:pk>/download/", reports.download, name="report-download"),
]
