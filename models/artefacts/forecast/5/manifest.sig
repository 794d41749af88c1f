{"key": "d02cc97edbebc6d4", "signature": "1GM0BmKemRfXG4LqtCMewqdx7xZRXXEzLRy+O4RMxUd0B0w+RCGu1gUusaMT15ANy1zjSmIbj/aqCZ5hpIoQCA=="}
