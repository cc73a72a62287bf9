"""Mails that remind the staff of visits that are not done: planned from the study definition, sent by the outbox."""
