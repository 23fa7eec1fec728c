"""What it contributes together with others."""
