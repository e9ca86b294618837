"""Running a request: in this process (`job`), or in a worker that talks JSON lines (`worker`)."""
