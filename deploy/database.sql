-- Patron's roles and its database. A superuser runs it once, and again without harm:
--   PATRON_DATABASE_PASSWORD=… psql -f deploy/database.sql
-- `patron` logs in and owns the tables; requests run as `patron_tenant`, which row level security confines.
\set ON_ERROR_STOP on
\getenv password PATRON_DATABASE_PASSWORD
SELECT 'CREATE ROLE patron_tenant NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'patron_tenant')
\gexec
SELECT 'CREATE ROLE patron LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'patron')
\gexec
ALTER ROLE patron PASSWORD :'password';
GRANT patron_tenant TO patron;
SELECT 'CREATE DATABASE patron OWNER patron' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'patron')
\gexec
