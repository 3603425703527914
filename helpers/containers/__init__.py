"""What talks to the Docker daemon: images, volumes and containers."""
