{"key": "ca8a332cb5205ddb", "signature": "RBtkIdjlSs6MPNqlNAIW7WYIAicfVIWNkLb6tMK4Mhi7fqz5lRp/nm//Thgmv1avts9Q7GQyriiLfR024HvzAQ=="}
