{"key": "5036851d72a74292", "signature": "DaQyYlzDP0gvoW3jexqzYTTus9lnSjslGCovY0Y3GuxF85Qm/0fSmL4hd3uoOfSYq0IN8r/RQ3cikyF7t7mjCg=="}
