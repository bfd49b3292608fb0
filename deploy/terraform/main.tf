locals {
  apis = concat(
    [
      "artifactregistry.googleapis.com",
      "cloudscheduler.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    var.store == "postgres" ? ["sqladmin.googleapis.com"] : [],
    var.stream ? ["compute.googleapis.com", "dataflow.googleapis.com"] : [],
  )
  postgres = var.store == "postgres" ? 1 : 0
  bucket   = var.store == "bucket" ? 1 : 0
  labels   = { app = var.name }
}

data "google_project" "this" {}

resource "google_project_service" "api" {
  for_each           = toset(local.apis)
  service            = each.value
  disable_on_destroy = false
}

resource "google_artifact_registry_repository" "images" {
  repository_id = var.name
  location      = var.region
  format        = "DOCKER"
  labels        = local.labels

  docker_config {
    immutable_tags = true
  }

  depends_on = [google_project_service.api]
}

# The run has an identity of its own that may do what is listed in this folder and nothing else.
resource "google_service_account" "run" {
  account_id   = "${var.name}-run"
  display_name = "trucewatch: runs"
}

# Cloud Scheduler has another, that may start the job and nothing else.
resource "google_service_account" "scheduler" {
  account_id   = "${var.name}-scheduler"
  display_name = "trucewatch: starts runs"
}

resource "google_secret_manager_secret" "config" {
  secret_id = "${var.name}-config"
  labels    = local.labels

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_version" "config" {
  secret                 = google_secret_manager_secret.config.id
  secret_data_wo         = file(var.config_file)
  secret_data_wo_version = var.config_version
}

resource "google_secret_manager_secret_iam_member" "config" {
  secret_id = google_secret_manager_secret.config.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.run.member
}
