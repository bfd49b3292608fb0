terraform {
  required_version = ">= 1.11.0" # write-only arguments: no password is kept in the state

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.6.0, < 8.0.0" # mount_options of a bucket came with 7
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.7.0, < 4.0.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}
