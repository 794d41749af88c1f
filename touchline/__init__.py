"""What joins the other packages: command line, training, evaluation, demo. Kept thin."""
