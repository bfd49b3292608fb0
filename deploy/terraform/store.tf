# Either a PostgreSQL database...
ephemeral "random_password" "database" {
  length  = 32
  special = false
}

resource "google_sql_database_instance" "store" {
  count               = local.postgres
  name                = "${var.name}-store"
  region              = var.region
  database_version    = "POSTGRES_17"
  deletion_protection = true

  settings {
    edition         = "ENTERPRISE"
    tier            = var.database_tier
    disk_autoresize = true
    user_labels     = local.labels

    # Cloud Run reaches it through its own tunnel; no network is let in.
    ip_configuration {
      ipv4_enabled = true
      ssl_mode     = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_sql_database" "store" {
  count    = local.postgres
  name     = "trucewatch"
  instance = google_sql_database_instance.store[0].name
}

resource "google_sql_user" "run" {
  count               = local.postgres
  name                = "trucewatch"
  instance            = google_sql_database_instance.store[0].name
  password_wo         = ephemeral.random_password.database.result
  password_wo_version = var.database_password_version
}

resource "google_secret_manager_secret" "store" {
  count     = local.postgres
  secret_id = "${var.name}-store"
  labels    = local.labels

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_version" "store" {
  count  = local.postgres
  secret = google_secret_manager_secret.store[0].id
  secret_data_wo = join("", [
    "postgresql+psycopg://${google_sql_user.run[0].name}:${ephemeral.random_password.database.result}",
    "@/${google_sql_database.store[0].name}?host=/cloudsql/${google_sql_database_instance.store[0].connection_name}",
  ])
  secret_data_wo_version = var.database_password_version
}

resource "google_secret_manager_secret_iam_member" "store" {
  count     = local.postgres
  secret_id = google_secret_manager_secret.store[0].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.run.member
}

resource "google_project_iam_member" "run_sql" {
  count   = local.postgres
  project = var.project
  role    = "roles/cloudsql.client"
  member  = google_service_account.run.member
}

# ...or a bucket. Its old versions are the backup.
resource "google_storage_bucket" "state" {
  count                       = local.bucket
  name                        = "${var.project}-${var.name}-state"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      num_newer_versions = 500
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_iam_member" "state" {
  count  = local.bucket
  bucket = google_storage_bucket.state[0].name
  role   = "roles/storage.objectUser"
  member = google_service_account.run.member
}
