locals {
  run = ["run", "--due-only", "--partial-ok", "--log-json"]
}

resource "google_cloud_run_v2_job" "run" {
  name                = var.name
  location            = var.region
  labels              = local.labels
  deletion_protection = false

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account       = google_service_account.run.email
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      timeout               = "${var.timeout_s}s"
      max_retries           = 0 # the next run repeats what a failed one left undone

      containers {
        image = var.image
        args = (
          var.store == "bucket"
          ? concat(["trucewatch-on-bucket", "/mnt/state"], local.run)
          : local.run
        )

        resources {
          limits = {
            cpu    = "1"
            memory = var.memory
          }
        }

        env {
          name  = "TRUCEWATCH_CONFIG"
          value = "/etc/trucewatch/trucewatch.toml"
        }

        env {
          name  = "GOOGLE_CLOUD_PROJECT"
          value = var.project
        }

        dynamic "env" {
          for_each = google_secret_manager_secret.store
          content {
            name = "TRUCEWATCH_STORE"
            value_source {
              secret_key_ref {
                secret  = env.value.secret_id
                version = "latest"
              }
            }
          }
        }

        volume_mounts {
          name       = "config"
          mount_path = "/etc/trucewatch"
        }

        dynamic "volume_mounts" {
          for_each = google_sql_database_instance.store
          content {
            name       = "cloudsql"
            mount_path = "/cloudsql"
          }
        }

        dynamic "volume_mounts" {
          for_each = google_storage_bucket.state
          content {
            name       = "state"
            mount_path = "/mnt/state"
          }
        }
      }

      volumes {
        name = "config"
        secret {
          secret = google_secret_manager_secret.config.secret_id
          items {
            path    = "trucewatch.toml"
            version = "latest"
          }
        }
      }

      dynamic "volumes" {
        for_each = google_sql_database_instance.store
        content {
          name = "cloudsql"
          cloud_sql_instance {
            instances = [volumes.value.connection_name]
          }
        }
      }

      dynamic "volumes" {
        for_each = google_storage_bucket.state
        content {
          name = "state"
          gcs {
            bucket        = volumes.value.name
            read_only     = false
            mount_options = ["uid=65532", "gid=65532"]
          }
        }
      }
    }
  }

  depends_on = [
    google_project_iam_member.run_sql,
    google_secret_manager_secret_iam_member.config,
    google_secret_manager_secret_iam_member.store,
    google_secret_manager_secret_version.config,
    google_secret_manager_secret_version.store,
    google_storage_bucket_iam_member.state,
  ]
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  name     = google_cloud_run_v2_job.run.name
  location = google_cloud_run_v2_job.run.location
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

resource "google_cloud_scheduler_job" "run" {
  name             = var.name
  region           = var.region
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "60s"

  # A start that is missed is made up by the next one.
  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.run.id}:run"

    oauth_token {
      service_account_email = google_service_account.scheduler.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.scheduler]
}
