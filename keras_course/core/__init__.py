"""What everything stands on: errors, shapes, seeds, backend, files, the model base class. A closed list of modules."""
