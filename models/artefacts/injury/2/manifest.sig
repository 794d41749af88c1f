{"key": "0ab5b893d51a5054", "signature": "WpR9m4l1Yt6qfJXmZXiUH0uEV3Ta8rj+Pe3WGgycSgchNh2SP1Y0kyOjH7gr9T4oOvfhXnihgwmy0NafkmNGCg=="}
