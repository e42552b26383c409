"""The server: what stands beside the Gradio page on its port."""
