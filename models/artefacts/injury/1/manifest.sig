{"key": "afeaa6c69dc5809e", "signature": "mf+GTns/HqZk72gdcwbVBzTrNWh/dWB8d7zKd97UDJDi/gkHQwKid5OWVqj758jAWk41iXMXuDeWDp7SVoOqCQ=="}
