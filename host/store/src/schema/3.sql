-- Tells the locks of different peeks apart: a client that names its lock cannot take a message that another one has by now.
ALTER TABLE incoming ADD COLUMN lock_token TEXT;
