{"key": "afeaa6c69dc5809e", "signature": "Mjtv+ZxheUodMxDHOa5kDGGz0vNI37Yn3Z2rPVIxgwVuiZrFERUY3gHOhwSRhqgaHqQdQ5Nooov5Q4J0cctTAw=="}
