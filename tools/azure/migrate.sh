#!/usr/bin/env bash
# Brings the database on Azure up to date, and lets the app's identity in. Safe to run again.
#
# Whoever is signed in (az login) must administer the server: the migration identity in the workflow, the operator on a
# developer's machine. Either acts as the role viral_owner, so that both own the same tables.
set -euo pipefail
cd "$(dirname "$0")/../.."

need() { [[ -n "${!1:-}" ]] || { echo "$1 is not set (it is an output of infra/bicep/main.bicep)" >&2; exit 1; }; }
need VIRAL_POSTGRES_HOST
need VIRAL_POSTGRES_DATABASE
need VIRAL_APP_IDENTITY
need VIRAL_APP_PRINCIPAL_ID
login="${VIRAL_LOGIN:-${VIRAL_OPERATOR_NAME:-${VIRAL_MIGRATION_IDENTITY:-}}}"
[[ -n "$login" ]] || { echo "VIRAL_LOGIN is not set: the PostgreSQL login of whoever is signed in" >&2; exit 1; }
command -v psql >/dev/null || { echo "psql is missing. On Debian or Ubuntu: sudo apt install postgresql-client" >&2; exit 1; }

# Both psql and Npgsql take the token from here, so it is on no command line.
PGPASSWORD="${PGPASSWORD:-$(az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv)}"
export PGPASSWORD PGHOST="$VIRAL_POSTGRES_HOST" PGPORT="${VIRAL_POSTGRES_PORT:-5432}" PGUSER="$login"
export PGSSLMODE="${PGSSLMODE:-require}"

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$@"; }

sql --dbname postgres --set db="$VIRAL_POSTGRES_DATABASE" \
  --set app="$VIRAL_APP_IDENTITY" --set object="$VIRAL_APP_PRINCIPAL_ID" <<'SQL'
SELECT 'CREATE ROLE viral_owner NOLOGIN CREATEROLE'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'viral_owner') \gexec
-- To every administrator, so that it does not matter which of them was first; who is not may lack the right to grant it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'azure_pg_admin') THEN
        GRANT viral_owner TO azure_pg_admin WITH ADMIN OPTION;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;
END
$$;
DO $$
BEGIN
    GRANT viral_owner TO CURRENT_USER;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;
END
$$;
GRANT ALL ON DATABASE :"db" TO viral_owner;
-- The login of the app is known to PostgreSQL by the object id of its identity.
SELECT pgaadauth_create_principal_with_oid(:'app', :'object', 'service', false, false)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'app') \g /dev/null
SQL
sql --dbname "$VIRAL_POSTGRES_DATABASE" --command 'GRANT ALL ON SCHEMA public TO viral_owner'

./dev migrate --connection "Host=$PGHOST;Port=$PGPORT;Database=$VIRAL_POSTGRES_DATABASE;Username=$login;Options=-c role=viral_owner;SSL Mode=${VIRAL_SSL_MODE:-VerifyFull}"

# Both roles come with the first migration, and whoever made them gives them.
sql --dbname "$VIRAL_POSTGRES_DATABASE" --set app="$VIRAL_APP_IDENTITY" <<'SQL'
SELECT current_setting('server_version_num')::int >= 160000 AS modern \gset
-- The login itself may do nothing: it takes one of the two roles in each transaction.
\if :modern
SET ROLE viral_owner;
GRANT viral_app, viral_sweeper TO :"app" WITH INHERIT FALSE, SET TRUE;
\else
ALTER ROLE :"app" NOINHERIT;
SET ROLE viral_owner;
GRANT viral_app, viral_sweeper TO :"app";
\endif
SQL
echo "the database is up to date"
