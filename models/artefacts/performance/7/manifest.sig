{"key": "d0966b8749020d50", "signature": "wAkjPmx+bNscIMHI5IgrNA+IUoeX1ZAQDKmm8U4lfE74NjX8FUWLvTcZL2oG3/6rwaodeGDVCau4iAZL9haPBw=="}
