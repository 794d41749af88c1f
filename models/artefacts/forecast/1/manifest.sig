{"key": "dc52eb72e00a42c4", "signature": "n6O+WlLBlLs3NY0Uq6AbXlLit+bULmGtI1Dfj2jusGFqD0mX7l5x+Y3C49v+US9nKDYrdrqTggwB96EYBDDpBA=="}
