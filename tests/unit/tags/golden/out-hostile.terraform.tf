provider "aws" {
  default_tags {
    tags = {
      service             = "a: b _c_ d=e_"
      env                 = "_HOME __x"
      team                = "Müller _ _Söhne_ _x_"
      yes                 = "no"
      driftband_workspace = "prod/___file__/etc/passwd____ __if true_"
    }
  }
}

# Labels are lower case, with - and _ alone: values are adapted.
provider "google" {
  default_labels = {
    service             = "a__b__c__d_e_"
    env                 = "_home___x"
    team                = "m_ller____s_hne___x_"
    yes                 = "no"
    driftband_workspace = "prod____file___etc_passwd_______if_true_"
  }
}

# azurerm has no default tags: write tags = local.driftband_tags, or merge(local.driftband_tags, { ... }).
locals {
  driftband_tags = {
    service             = "a: b #c, d=e\\"
    env                 = "$HOME $$x"
    team                = "Müller & \"Söhne\" <x>"
    yes                 = "no"
    driftband_workspace = "prod/\"$${file(\"/etc/passwd\")}\" %%{if true}"
  }
}
