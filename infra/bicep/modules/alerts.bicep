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

@description('Id of the Redis cluster.')
param redisId string

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
}

@description('Alerts by log query.')
var queryAlerts queryAlert[] = [
  {
    name: 'http-5xx'
    description: 'More than 1 % of the requests of five minutes, and more than five of them, were answered with a 5xx.'
    severity: 1
    query: 'AppRequests | where isnotempty(Url) | summarize bad = countif(toint(ResultCode) >= 500), total = count() | where bad > 5 and bad > total / 100.0'
  }
  {
    name: 'failures'
    description: 'More than ten functions of five minutes ended in an exception that nobody handled.'
    severity: 1
    query: 'AppRequests | where isempty(Url) and Success == false | summarize bad = count() | where bad > 10'
  }
  {
    name: 'task-failures'
    description: 'More than a fifth of the tasks of five minutes, and more than 20 of them, failed for good.'
    severity: 2
    query: 'AppMetrics | where Name == "viral.tasks.finished" | extend status = tostring(Properties["status"]) | summarize failed = sumif(Sum, status == "failed"), total = sum(Sum) | where failed > 20 and failed > total / 5'
  }
  {
    name: 'queue-age'
    description: 'Tasks that are due wait too long before they are run.'
    severity: 1
    query: 'AppMetrics | where Name == "viral.queue.age" | summarize oldest = max(Max) | where oldest > ${queueAgeSeconds}'
  }
]

@description('Alerts by platform metric.')
var metricAlerts metricAlert[] = [
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
    description: 'PostgreSQL does not answer.'
    severity: 0
    scope: postgresId
    namespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
    metric: 'is_db_alive'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'redis-memory'
    description: 'Redis has used more than 85 % of its memory and begins to drop token logs.'
    severity: 2
    scope: redisId
    namespace: 'Microsoft.Cache/redisEnterprise'
    metric: 'usedmemorypercentage'
    operator: 'GreaterThan'
    threshold: 85
  }
]

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
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
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
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: alert.metric
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: alert.namespace
            metricName: alert.metric
            timeAggregation: 'Average'
            operator: alert.operator
            threshold: alert.threshold
          }
        ]
      }
      actions: [{ actionGroupId: people.id }]
    }
  }
]

resource visitor 'Microsoft.Insights/webtests@2022-06-15' = {
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

resource unavailable 'Microsoft.Insights/metricAlerts@2026-01-01' = {
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
