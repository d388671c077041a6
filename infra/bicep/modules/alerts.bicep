import { texts } from 'types.bicep'

metadata description = 'What wakes somebody up, and whom. docs/operating.md says what to do about each.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('What every name begins with.')
param prefix string

@description('Address that alerts are mailed to; empty to have them in the portal only.')
param email string

@description('Id of the workspace that is asked.')
param workspaceId string

@description('Id of the Application Insights component that the availability test belongs to.')
param componentId string

@description('Id of the PostgreSQL server.')
param postgresId string

@description('Whether there is a Redis.')
param cached bool

@description('Id of the Redis cluster; empty when there is none.')
param redisId string

@description('Id of the storage account of the Functions host.')
param storageId string

@description('Name of the vault whose secrets may be about to end.')
param vaultName string

@description('Connections to PostgreSQL that are too many.')
param connections int

@description('Whether three places of the world ask if the app is ready.')
param availabilityTest bool

@description('How often the workspace is asked.')
param frequency 'PT5M' | 'PT15M'

@description('Spending in a month at which somebody is told.')
param monthlyBudget int

@description('First day of the month that the budget begins in, such as 2026-11-01; empty for no budget.')
param budgetStart string

@description('Name that the app is reached by.')
param appHost string

@description('Seconds that the oldest waiting task may have waited.')
param queueAgeSeconds int

@description('A question to the workspace that must find nothing.')
type queryAlert = {
  @description('End of its name.')
  name: string

  @description('What it means.')
  description: string

  @description('0 is an outage, 1 an error, 2 a warning.')
  severity: 0 | 1 | 2

  @description('Every row that it finds is a reason to raise the alert.')
  query: string
}

@description('A measure of the platform that must stay below a bound.')
type metricAlert = {
  @description('End of its name.')
  name: string

  @description('What it means.')
  description: string

  @description('0 is an outage, 1 an error, 2 a warning.')
  severity: 0 | 1 | 2

  @description('Resource that is measured.')
  scope: string

  @description('Kind of resource that is measured.')
  namespace: string

  @description('What is measured.')
  metric: string

  @description('Which side of the bound is bad.')
  operator: 'GreaterThan' | 'LessThan'

  @description('The bound.')
  threshold: int

  @description('What the measures of a window become; their average unless told.')
  aggregation: 'Maximum'?

  @description('How long a window is; a quarter of an hour unless told.')
  window: 'PT5M'?
}

@description('What a question to the workspace looks back on, in words.')
var period = frequency == 'PT5M' ? 'five minutes' : 'a quarter of an hour'

@description('Alerts by log query.')
var queryAlerts queryAlert[] = [
  {
    name: 'http-5xx'
    description: 'More than 1 % of the requests of ${period}, and more than five of them, were answered with a 5xx.'
    severity: 1
    query: 'AppRequests | where isnotempty(Url) | summarize bad = countif(toint(ResultCode) >= 500), total = count() | where bad > 5 and bad > total / 100.0'
  }
  {
    name: 'failures'
    description: 'More than ten functions of ${period} ended in an exception that nobody handled.'
    severity: 1
    query: 'AppRequests | where isempty(Url) and Success == false | summarize bad = count() | where bad > 10'
  }
  {
    name: 'task-failures'
    description: 'More than a fifth of the tasks of ${period}, and more than 20 of them, failed for good.'
    severity: 2
    query: 'AppMetrics | where Name == "viral.tasks.finished" | extend status = tostring(Properties["status"]) | summarize failed = sumif(Sum, status == "failed"), total = sum(Sum) | where failed > 20 and failed > total / 5'
  }
  {
    name: 'queue-age'
    description: 'Tasks that are due wait too long before they are run.'
    severity: 1
    query: 'AppMetrics | where Name == "viral.queue.age" | summarize oldest = max(Max) | where oldest > ${queueAgeSeconds}'
  }
  // The two that speak when nothing else does: telemetry that has stopped makes every other question find nothing.
  {
    name: 'heartbeat'
    description: 'The sweep has not been seen for a quarter of an hour: the app is down, or its telemetry is not recorded.'
    severity: 1
    query: 'union isfuzzy=true (AppRequests | where Name has "SweepOften"), (AppMetrics | where Name == "viral.queue.age") | where TimeGenerated > ago(15m) | summarize beats = count() | where beats == 0'
  }
  {
    name: 'daily-cap'
    description: 'The daily cap of telemetry is reached: until tomorrow nothing is recorded, and other alerts are silent.'
    severity: 1
    query: '_LogOperation | where Category =~ "Ingestion" and Detail contains "OverQuota"'
  }
]

@description('Alert about Redis, where there is one.')
var redisAlerts metricAlert[] = !cached
  ? []
  : [
      {
        name: 'redis-memory'
        description: 'Redis has used more than 85 % of its memory and begins to drop token logs.'
        severity: 2
        scope: redisId
        namespace: 'Microsoft.Cache/redisEnterprise'
        metric: 'usedmemorypercentage'
        operator: 'GreaterThan'
        threshold: 85
        // The only one that the platform offers for this measure.
        aggregation: 'Maximum'
      }
    ]

@description('Alerts by platform metric.')
var metricAlerts metricAlert[] = concat(redisAlerts, [
  {
    name: 'postgres-cpu'
    description: 'PostgreSQL has been busy above 85 % for a quarter of an hour.'
    severity: 2
    scope: postgresId
    namespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
    metric: 'cpu_percent'
    operator: 'GreaterThan'
    threshold: 85
  }
  {
    name: 'postgres-storage'
    description: 'PostgreSQL has used more than 85 % of its storage.'
    severity: 1
    scope: postgresId
    namespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
    metric: 'storage_percent'
    operator: 'GreaterThan'
    threshold: 85
  }
  {
    name: 'postgres-down'
    description: 'PostgreSQL has not answered for five minutes.'
    severity: 0
    scope: postgresId
    namespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
    metric: 'is_db_alive'
    operator: 'LessThan'
    threshold: 1
    // It never was in these minutes; a failover of a minute is no outage.
    aggregation: 'Maximum'
    window: 'PT5M'
  }
  {
    name: 'postgres-connections'
    description: 'PostgreSQL has nearly as many connections as it allows.'
    severity: 1
    scope: postgresId
    namespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
    metric: 'active_connections'
    operator: 'GreaterThan'
    threshold: connections
  }
  {
    name: 'storage-availability'
    description: 'The storage of the Functions host fails more than one request of a hundred.'
    severity: 1
    scope: storageId
    namespace: 'Microsoft.Storage/storageAccounts'
    metric: 'Availability'
    operator: 'LessThan'
    threshold: 99
  }
])

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${prefix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'viral'
    emailReceivers: empty(email) ? [] : [{ name: 'on-call', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource byQuery 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in queryAlerts: {
    name: '${prefix}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix}-${alert.name}'
      description: alert.description
      severity: alert.severity
      enabled: true
      autoMitigate: true
      scopes: [workspaceId]
      evaluationFrequency: frequency
      windowSize: frequency
      // The one question about longer than its window must be given that time; the others would look back on it, too.
      overrideQueryTimeRange: alert.name == 'heartbeat' ? 'PT15M' : null
      // The tables appear with the first telemetry, which comes after the first deployment.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

resource byMetric 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for alert in metricAlerts: {
    name: '${prefix}-${alert.name}'
    location: 'global'
    tags: tags
    properties: {
      description: alert.description
      severity: alert.severity
      enabled: true
      autoMitigate: true
      scopes: [alert.scope]
      evaluationFrequency: 'PT5M'
      windowSize: alert.?window ?? 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: alert.metric
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: alert.namespace
            metricName: alert.metric
            timeAggregation: alert.?aggregation ?? 'Average'
            operator: alert.operator
            threshold: alert.threshold
          }
        ]
      }
      actions: [{ actionGroupId: people.id }]
    }
  }
]

resource visitor 'Microsoft.Insights/webtests@2022-06-15' = if (availabilityTest) {
  name: '${prefix}-ready'
  location: location
  tags: union(tags, { 'hidden-link:${componentId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${prefix}-ready'
    Name: '${prefix}-ready'
    Description: 'Asks from outside whether the app and what it stands on are ready.'
    Enabled: true
    Frequency: 300
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: { RequestUrl: 'https://${appHost}/api/health/ready', HttpVerb: 'GET' }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource unavailable 'Microsoft.Insights/metricAlerts@2026-01-01' = if (availabilityTest) {
  name: '${prefix}-unavailable'
  location: 'global'
  tags: union(tags, { 'hidden-link:${componentId}': 'Resource', 'hidden-link:${visitor.id}': 'Resource' })
  properties: {
    description: 'Two of three places of the world cannot reach a ready app.'
    severity: 0
    enabled: true
    autoMitigate: true
    scopes: [visitor.id, componentId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: visitor.id
      componentId: componentId
      failedLocationCount: 2
    }
    actions: [{ actionGroupId: people.id }]
  }
}

// The start cannot be changed once the budget is there, so it is not worked out here.
resource budget 'Microsoft.Consumption/budgets@2024-08-01' = if (!empty(budgetStart)) {
  name: 'budget-${prefix}'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: { startDate: budgetStart }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: empty(email) ? [] : [email]
        contactRoles: ['Owner']
        contactGroups: [people.id]
      }
      expected: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: empty(email) ? [] : [email]
        contactRoles: ['Owner']
        contactGroups: [people.id]
      }
    }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource vaultEvents 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${prefix}'
  location: location
  tags: tags
  properties: { source: vault.id, topicType: 'Microsoft.KeyVault.vaults' }

  resource ending 'eventSubscriptions' = {
    name: 'keys-ending'
    properties: {
      destination: {
        endpointType: 'MonitorAlert'
        properties: {
          severity: 'Sev2'
          description: 'A secret of the app ends within 30 days, or has ended. docs/operating.md says how keys are changed.'
          actionGroups: [people.id]
        }
      }
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      filter: { includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired'] }
    }
  }
}

#disable-next-line use-recent-api-versions
resource eventDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vaultEvents
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'DeliveryFailures', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}
