# What a stream on Dataflow needs besides, where `stream` is true. The job itself is started from the template in
# ../dataflow, so that it can be updated and drained without Terraform.
locals {
  stream = var.stream ? 1 : 0
}

resource "google_service_account" "stream" {
  count        = local.stream
  account_id   = "${var.name}-stream"
  display_name = "trucewatch: launcher and workers of the stream"
}

# The template, the configuration, and what Dataflow stages.
resource "google_storage_bucket" "stream" {
  count                       = local.stream
  name                        = "${var.project}-${var.name}-stream"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  # Temporary files need no undeleting.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "stream" {
  count  = local.stream
  bucket = google_storage_bucket.stream[0].name
  role   = "roles/storage.objectUser"
  member = google_service_account.stream[0].member
}

# Dataflow gives no narrower right to its workers, and none below the project.
resource "google_project_iam_member" "stream" {
  count   = local.stream
  project = var.project
  role    = "roles/dataflow.worker"
  member  = google_service_account.stream[0].member
}

resource "google_artifact_registry_repository_iam_member" "stream" {
  count      = local.stream
  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.stream[0].member
}

resource "google_pubsub_topic_iam_member" "stream" {
  count  = local.stream
  topic  = google_pubsub_topic.alerts.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.stream[0].member
}

resource "google_monitoring_alert_policy" "stream" {
  count                 = local.stream
  display_name          = "${var.name}: the stream has stopped or lags"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels

  conditions {
    display_name = "No job tells its lag"

    condition_absent {
      filter = join(" AND ", [
        "resource.type = \"dataflow_job\"",
        "resource.labels.job_name = \"${var.name}-stream\"",
        "metric.type = \"dataflow.googleapis.com/job/data_watermark_age\"",
      ])
      duration = "1800s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  conditions {
    display_name = "News waits for half an hour"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"dataflow_job\"",
        "resource.labels.job_name = \"${var.name}-stream\"",
        "metric.type = \"dataflow.googleapis.com/job/data_watermark_age\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 1800
      duration        = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  documentation {
    content   = "See docs/operations.md, No runs. Logs: resource.type=dataflow_step, job_name=${var.name}-stream."
    mime_type = "text/markdown"
  }
}
