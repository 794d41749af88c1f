{"key": "144fd63ece3aaa0f", "signature": "k4fKIFlTy3/hxu4vX9jDCSFQZtWuMv090Q+hFC2xIaTk68/qkEie366a4bHogHOgYw578pe+0gbYCp4jmC9ACw=="}
