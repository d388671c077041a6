import { texts } from 'types.bicep'

metadata description = 'Where traces, metrics and logs go: one workspace, and Application Insights on top of it.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param componentName string

@description('Days that telemetry is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Most telemetry taken in per day, in GB; -1 for no cap. Past the cap nothing is recorded until the next day.')
param dailyQuotaGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

// Ingestion needs an Entra token (Monitoring Metrics Publisher), so the connection string is an address, not a secret.
resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

// Stable versions of this type know no category groups, which is how every log of a resource is named at once.
#disable-next-line use-recent-api-versions
resource workspaceDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Id of the workspace.')
output workspaceId string = workspace.id

@description('Name of the Application Insights component.')
output componentName string = component.name

@description('Id of the Application Insights component.')
output componentId string = component.id

@description('Address that telemetry is sent to.')
output connectionString string = component.properties.ConnectionString
