{"key": "a84a4683278c6b56", "signature": "wYAqksS8sLk38rGlZzLsnMFUQZW9v/McjTJV53oO5dJuf2zbWvkL+MIgTEOriGvsUOaC/4p8PyKjzH8JE1XmDg=="}
