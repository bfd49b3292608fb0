output "images" {
  description = "Where images are pushed."
  value       = "${var.region}-docker.pkg.dev/${var.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "job" {
  description = "The Cloud Run job; `gcloud run jobs execute` starts it by hand."
  value       = google_cloud_run_v2_job.run.name
}

output "subscription" {
  description = "Where alerts are read: `trucewatch pubsub subscribe`."
  value       = google_pubsub_subscription.alerts.name
}

output "stream" {
  description = "The stream's bucket and identity, null where `stream` is false."
  value = var.stream ? {
    bucket          = google_storage_bucket.stream[0].name
    service_account = google_service_account.stream[0].email
  } : null
}
