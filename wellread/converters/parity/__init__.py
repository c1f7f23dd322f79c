"""What stands for the source, what a form is compared with, and the gate between them."""
