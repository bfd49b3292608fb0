locals {
  channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  finished = join(" AND ", [
    "resource.type = \"cloud_run_job\"",
    "resource.labels.job_name = \"${google_cloud_run_v2_job.run.name}\"",
    "metric.type = \"run.googleapis.com/job/completed_execution_count\"",
  ])
}

resource "google_monitoring_notification_channel" "email" {
  count        = var.alert_email == "" ? 0 : 1
  display_name = "trucewatch"
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "failed" {
  display_name          = "${var.name}: runs fail"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "Three failed executions in half an hour"

    condition_threshold {
      filter          = "${local.finished} AND metric.labels.result = \"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 2
      duration        = "0s"

      aggregations {
        alignment_period     = "1800s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "See docs/operations.md, Runs fail. Logs: resource.type=cloud_run_job, job_name=${var.name}."
    mime_type = "text/markdown"
  }
}

# A failing run is loud; one that never starts is not. This tells of both.
resource "google_monitoring_alert_policy" "silent" {
  display_name          = "${var.name}: no successful run"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = local.channels

  conditions {
    display_name = "No successful execution"

    condition_absent {
      filter   = "${local.finished} AND metric.labels.result = \"succeeded\""
      duration = "${var.silent_after_s}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "See docs/operations.md, No runs."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  display_name          = "${var.name}: alerts that a subscriber cannot take"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "Messages on the dead-letter subscription"

    condition_threshold {
      filter = join(" AND ", [
        "resource.type = \"pubsub_subscription\"",
        "resource.labels.subscription_id = \"${google_pubsub_subscription.dead.name}\"",
        "metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\"",
      ])
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "300s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content   = "See docs/operations.md, A sink is stuck."
    mime_type = "text/markdown"
  }
}
