provider "aws" {
  default_tags {
    tags = {
      driftband_workspace = "network"
    }
  }
}

# Labels are lower case, with - and _ alone: values are adapted.
provider "google" {
  default_labels = {
    driftband_workspace = "network"
  }
}

# azurerm has no default tags: write tags = local.driftband_tags, or merge(local.driftband_tags, { ... }).
locals {
  driftband_tags = {
    driftband_workspace = "network"
  }
}
