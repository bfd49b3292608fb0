# What the stream on Dataflow needs; the template itself is built and launched as docs/deploying.md says.
resource "google_service_account" "dataflow" {
  count        = var.dataflow ? 1 : 0
  account_id   = "${var.name}-dataflow"
  display_name = "trucewatch: workers of the stream"
}

resource "google_storage_bucket" "dataflow" {
  count                       = var.dataflow ? 1 : 0
  name                        = "${var.project}-${var.name}-dataflow"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  # Staged files of jobs long gone.
  lifecycle_rule {
    condition {
      age            = 60
      matches_prefix = ["staging/", "temp/"]
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_project_iam_member" "dataflow_worker" {
  count   = var.dataflow ? 1 : 0
  project = var.project
  role    = "roles/dataflow.worker"
  member  = google_service_account.dataflow[0].member
}

resource "google_storage_bucket_iam_member" "dataflow" {
  count  = var.dataflow ? 1 : 0
  bucket = google_storage_bucket.dataflow[0].name
  role   = "roles/storage.objectAdmin"
  member = google_service_account.dataflow[0].member
}

resource "google_artifact_registry_repository_iam_member" "dataflow" {
  count      = var.dataflow ? 1 : 0
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.dataflow[0].member
}

resource "google_pubsub_topic_iam_member" "dataflow" {
  count  = var.dataflow ? 1 : 0
  topic  = google_pubsub_topic.alerts.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.dataflow[0].member
}

resource "google_secret_manager_secret_iam_member" "dataflow_config" {
  count     = var.dataflow ? 1 : 0
  secret_id = google_secret_manager_secret.config.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.dataflow[0].member
}
