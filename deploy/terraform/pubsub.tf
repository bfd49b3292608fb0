# Alerts, and a place for those that a subscriber cannot take. Put this into trucewatch.toml to use it:
#   [[sink]]
#   kind = "pubsub"
#   project = "PROJECT"
#   topic = "trucewatch-alerts"
resource "google_pubsub_topic" "alerts" {
  name                       = "${var.name}-alerts"
  labels                     = local.labels
  message_retention_duration = "604800s"
  depends_on                 = [google_project_service.api]
}

resource "google_pubsub_topic" "dead" {
  name       = "${var.name}-alerts-dead"
  labels     = local.labels
  depends_on = [google_project_service.api]
}

resource "google_pubsub_subscription" "alerts" {
  name                       = "${var.name}-alerts-all"
  topic                      = google_pubsub_topic.alerts.id
  labels                     = local.labels
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = "" # never
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 10
  }
}

# Without a subscription of its own the dead-letter topic would forget what it is given.
resource "google_pubsub_subscription" "dead" {
  name                       = "${var.name}-alerts-dead-all"
  topic                      = google_pubsub_topic.dead.id
  labels                     = local.labels
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_topic_iam_member" "run" {
  topic  = google_pubsub_topic.alerts.id
  role   = "roles/pubsub.publisher"
  member = google_service_account.run.member
}

resource "google_pubsub_subscription_iam_member" "subscriber" {
  for_each     = toset(var.subscribers)
  subscription = google_pubsub_subscription.alerts.id
  role         = "roles/pubsub.subscriber"
  member       = each.value
}

# Pub/Sub itself moves messages to the dead-letter topic, and needs leave to.
locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic_iam_member" "dead" {
  topic  = google_pubsub_topic.dead.id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead" {
  subscription = google_pubsub_subscription.alerts.id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
