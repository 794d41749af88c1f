{"key": "d9faa31a6429ec16", "signature": "A+Jwsfyt2l0d/9z8omWC9XsPSzHffYS+n3NuCsayGu0uK2625Gga8/Vu1mfhdYZyVTVLM/uydGzuJgQF+Wt9Cw=="}
