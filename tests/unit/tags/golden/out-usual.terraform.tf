# A commit in default tags changes every resource at each apply; without --commit it is left out.
provider "aws" {
  default_tags {
    tags = {
      service             = "checkout"
      env                 = "prod"
      cluster             = "eu-1"
      region              = "eu-west-1"
      team                = "payments"
      driftband_workspace = "prod/checkout"
      driftband_commit    = "9f3c2a1"
    }
  }
}

# Labels are lower case, with - and _ alone: values are adapted.
provider "google" {
  default_labels = {
    service             = "checkout"
    env                 = "prod"
    cluster             = "eu-1"
    region              = "eu-west-1"
    team                = "payments"
    driftband_workspace = "prod_checkout"
    driftband_commit    = "9f3c2a1"
  }
}

# azurerm has no default tags: write tags = local.driftband_tags, or merge(local.driftband_tags, { ... }).
locals {
  driftband_tags = {
    service             = "checkout"
    env                 = "prod"
    cluster             = "eu-1"
    region              = "eu-west-1"
    team                = "payments"
    driftband_workspace = "prod/checkout"
    driftband_commit    = "9f3c2a1"
  }
}
