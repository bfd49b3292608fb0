variable "project" {
  description = "Google Cloud project that everything is made in."
  type        = string
}

variable "region" {
  description = "Region of the job, the database and the bucket."
  type        = string
  default     = "europe-west1"
}

variable "name" {
  description = "Names of all resources begin with it."
  type        = string
  default     = "trucewatch"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,19}$", var.name))
    error_message = "Lower-case letters, digits and hyphens, 3 to 20 characters, beginning with a letter."
  }
}

variable "image" {
  description = "The image, by digest, such as REGION-docker.pkg.dev/PROJECT/trucewatch/trucewatch@sha256:..."
  type        = string
}

variable "config_file" {
  description = "Your trucewatch.toml. It is kept in Secret Manager, since it may hold addresses that are secret."
  type        = string
  default     = "../cloud-run/trucewatch.toml"
}

variable "config_version" {
  description = "Raise it when config_file has changed, so that the new text is stored."
  type        = number
  default     = 1
}

variable "schedule" {
  description = "When runs start, in cron's form, UTC."
  type        = string
  default     = "*/5 * * * *"
}

variable "store" {
  description = <<-TEXT
    Where state is kept: "postgres" (a Cloud SQL instance, with exactly-once alerts) or "bucket" (an SQLite file on a
    bucket, for a few pence a month: executions must not overlap, and one that is killed may repeat alerts).
  TEXT
  type        = string
  default     = "postgres"

  validation {
    condition     = contains(["postgres", "bucket"], var.store)
    error_message = "Either \"postgres\" or \"bucket\"."
  }
}

variable "database_tier" {
  description = "Machine of the Cloud SQL instance."
  type        = string
  default     = "db-f1-micro"
}

variable "database_password_version" {
  description = "Raise it to give the database user a new password."
  type        = number
  default     = 1
}

variable "memory" {
  description = "Memory of a run."
  type        = string
  default     = "2Gi"
}

variable "timeout_s" {
  description = "A run that takes longer is ended; the next one repeats it."
  type        = number
  default     = 1500
}

variable "alert_email" {
  description = "Who is told when runs fail or stop; \"\" for nobody."
  type        = string
  default     = ""
}

variable "silent_after_s" {
  description = "Without a successful run for so long, somebody is told (a day at most)."
  type        = number
  default     = 3600
}

variable "subscribers" {
  description = "Members (such as \"serviceAccount:...\") that may read alerts from the subscription."
  type        = list(string)
  default     = []
}

variable "stream" {
  description = "Also make what a stream on Dataflow needs: an identity, a bucket, and a policy that tells when it stops."
  type        = bool
  default     = false
}
