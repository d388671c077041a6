CREATE TABLE viral.workflows (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text,
    status text NOT NULL,
    -- What it was started with: a later change of its template does not reach it.
    definition json NOT NULL,
    input json,
    template_id uuid,
    template_version integer,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    -- Counts from 1, and one more with each retry from a step.
    run integer NOT NULL DEFAULT 1,
    cancel_requested_at timestamptz,
    -- How it ends when its rollbacks are through.
    ending text,
    error jsonb,
    -- When a sweep should look whether something still works on it.
    check_at timestamptz NOT NULL,
    last_event integer NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT workflows_status_known CHECK (
        status IN ('pending', 'in_progress', 'waiting', 'rolling_back', 'completed', 'failed', 'cancelled')),
    CONSTRAINT workflows_ended_has_time
        CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT workflows_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL),
    CONSTRAINT workflows_ending_known CHECK (ending IN ('failed', 'cancelled')),
    CONSTRAINT workflows_rolling_back_has_ending CHECK ((status = 'rolling_back') = (ending IS NOT NULL)),
    CONSTRAINT workflows_template_with_version CHECK ((template_id IS NULL) = (template_version IS NULL))
);
CREATE INDEX workflows_open ON viral.workflows (check_at)
    WHERE status IN ('pending', 'in_progress', 'waiting', 'rolling_back');
CREATE INDEX workflows_ended ON viral.workflows (completed_at) WHERE completed_at IS NOT NULL;
CALL viral.isolate('viral.workflows');

-- A step that was reached, or its rollback. What has no row was not reached.
CREATE TABLE viral.workflow_steps (
    tenant_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    step_id text NOT NULL,
    kind text NOT NULL,
    run integer NOT NULL,
    status text NOT NULL,
    -- The fencing token of what runs outside.
    attempt integer NOT NULL,
    task_id uuid,
    -- The branch that a choice took.
    branch integer,
    -- What is to be sent, rendered once, so that each try of a call is the same; and what came of it.
    request json,
    result json,
    output json,
    error jsonb,
    due_at timestamptz,
    started_at timestamptz NOT NULL,
    completed_at timestamptz,
    -- The number of the event that told its completion: rollbacks run in reverse of it.
    completed_event integer,
    PRIMARY KEY (tenant_id, workflow_id, step_id, kind),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES viral.workflows (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT workflow_steps_kind_known CHECK (kind IN ('step', 'rollback')),
    CONSTRAINT workflow_steps_status_known
        CHECK (status IN ('in_progress', 'waiting', 'retrying', 'completed', 'failed', 'cancelled')),
    CONSTRAINT workflow_steps_ended_has_time
        CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)),
    CONSTRAINT workflow_steps_retrying_has_time CHECK (status <> 'retrying' OR due_at IS NOT NULL),
    CONSTRAINT workflow_steps_failed_has_error CHECK (status <> 'failed' OR error IS NOT NULL)
);
CALL viral.isolate('viral.workflow_steps');

-- A question that was put to people. One for each run in which the workflow got to it.
CREATE TABLE viral.approval_gates (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    gate_id text NOT NULL,
    run integer NOT NULL,
    status text NOT NULL DEFAULT 'open',
    title text NOT NULL,
    message text,
    roles text[] NOT NULL,
    users text[] NOT NULL,
    quorum integer NOT NULL,
    reject_quorum integer NOT NULL,
    exclude_requester boolean NOT NULL,
    requested_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz,
    on_timeout text NOT NULL,
    -- Who is asked when nobody has decided in time; gone once it was used.
    escalation jsonb,
    escalated_at timestamptz,
    reminder_seconds integer,
    next_reminder_at timestamptz,
    reminders_sent integer NOT NULL DEFAULT 0,
    decided_at timestamptz,
    timed_out boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, workflow_id) REFERENCES viral.workflows (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT approval_gates_once_a_run UNIQUE (tenant_id, workflow_id, gate_id, run),
    CONSTRAINT approval_gates_status_known CHECK (status IN ('open', 'approved', 'rejected', 'cancelled')),
    CONSTRAINT approval_gates_closed_has_time CHECK ((status = 'open') = (decided_at IS NULL)),
    CONSTRAINT approval_gates_somebody_decides CHECK (cardinality(roles) + cardinality(users) > 0),
    CONSTRAINT approval_gates_quorum_range CHECK (quorum BETWEEN 1 AND 50 AND reject_quorum BETWEEN 1 AND 50),
    CONSTRAINT approval_gates_timeout_known CHECK (on_timeout IN ('approve', 'reject', 'escalate')),
    CONSTRAINT approval_gates_escalates_to_somebody CHECK (on_timeout <> 'escalate' OR escalation IS NOT NULL)
);
CREATE INDEX approval_gates_open ON viral.approval_gates (tenant_id, id) WHERE status = 'open';
CALL viral.isolate('viral.approval_gates');

-- Written once and never changed: the history of who decided what.
CREATE TABLE viral.approval_decisions (
    tenant_id uuid NOT NULL,
    gate uuid NOT NULL,
    decider text NOT NULL,
    decision text NOT NULL,
    reason text,
    via text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, gate, decider),
    FOREIGN KEY (tenant_id, gate) REFERENCES viral.approval_gates (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT approval_decisions_known CHECK (decision IN ('approve', 'reject')),
    CONSTRAINT approval_decisions_via_known CHECK (via IN ('api', 'link'))
);
CALL viral.isolate('viral.approval_decisions');
REVOKE UPDATE, DELETE ON viral.approval_decisions FROM viral_app, viral_sweeper;

-- One-time links. What the link may do is signed into it too; the row makes it count once.
CREATE TABLE viral.approval_links (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    gate uuid NOT NULL,
    decider text NOT NULL,
    decision text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, gate) REFERENCES viral.approval_gates (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT approval_links_decision_known CHECK (decision IN ('approve', 'reject'))
);
CREATE INDEX approval_links_by_gate ON viral.approval_links (tenant_id, gate);
CALL viral.isolate('viral.approval_links');

CREATE TABLE viral.workflow_templates (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    visibility text NOT NULL,
    latest_version integer NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT workflow_templates_id_once UNIQUE (id),
    CONSTRAINT workflow_templates_name_length CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT workflow_templates_visibility_known CHECK (visibility IN ('private', 'public'))
);
CREATE INDEX workflow_templates_public ON viral.workflow_templates (id) WHERE visibility = 'public';
CALL viral.isolate('viral.workflow_templates');
-- Every tenant reads what is public; without a tenant nothing is visible still.
CREATE POLICY shared ON viral.workflow_templates FOR SELECT TO viral_app
    USING (visibility = 'public' AND (SELECT viral.tenant()) IS NOT NULL);

-- Written once and never changed.
CREATE TABLE viral.workflow_template_versions (
    tenant_id uuid NOT NULL,
    template_id uuid NOT NULL,
    version integer NOT NULL,
    definition json NOT NULL,
    parameters json NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, template_id, version),
    FOREIGN KEY (tenant_id, template_id) REFERENCES viral.workflow_templates (tenant_id, id) ON DELETE CASCADE
);
CALL viral.isolate('viral.workflow_template_versions');
REVOKE UPDATE, DELETE ON viral.workflow_template_versions FROM viral_app, viral_sweeper;
CREATE POLICY shared ON viral.workflow_template_versions FOR SELECT TO viral_app
    USING ((SELECT viral.tenant()) IS NOT NULL AND EXISTS (
        SELECT
        FROM viral.workflow_templates AS template
        WHERE template.tenant_id = workflow_template_versions.tenant_id AND template.id = workflow_template_versions.template_id
          AND template.visibility = 'public'));
