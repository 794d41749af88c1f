{"key": "7448cc7618e546bc", "signature": "IZg5dFKkMbaTgsg0f6QKSUYBbBY6oOxQqQsNbP3w5n/VzXqF+M4bOsoUptKtzOd1g9gb3d8Eq0TyKOqEtIMQDg=="}
