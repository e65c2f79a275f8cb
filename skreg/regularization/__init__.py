"""The subject: one class a technique, in files by place, composed by a plan."""
